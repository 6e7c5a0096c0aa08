/** Days of the calendar, UTC, as waivers name them. */

/** `2027-02-30` has the form of a day and is none. */
export function isDay(day: string): boolean {
  const date = new Date(`${day}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(day);
}
