/** The run as a Chrome trace, for chrome://tracing and ui.perfetto.dev: https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU */
import type { ReportData } from './data.ts';

/** Tasks that ran at the same time lie in different lanes, as few as there need to be. */
export function chromeTrace({ run, command, tasks }: ReportData): Readonly<Record<string, unknown>> {
  const lanes: number[] = [];
  const events = tasks
    .filter(({ start }) => start !== undefined)
    .toSorted((a, b) => (a.start ?? 0) - (b.start ?? 0))
    .map(({ id, entry, step, start = 0, ms, state, critical }) => {
      const free = lanes.findIndex((end) => end <= start);
      const lane = free < 0 ? lanes.length : free;
      lanes[lane] = start + ms;
      return {
        name: step,
        cat: state,
        ph: 'X',
        ts: start * 1000,
        dur: ms * 1000,
        pid: 1,
        tid: lane + 1,
        args: { task: id, ...(entry === undefined ? {} : { entry }), critical },
      };
    });
  const name = { name: 'process_name', ph: 'M', pid: 1, args: { name: `slipway ${command} ${run}` } };
  return { displayTimeUnit: 'ms', traceEvents: [name, ...events] };
}
