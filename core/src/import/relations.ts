/** Drafts that take each other's images, or share destinations: a config of them would load, and then not plan or not run. */
import type { Kept } from './loadable.ts';
import type { Draft, Remark } from './model.ts';
import { destinationOf, mayMeet, sourceOf, wayOf, type Place } from './places.ts';

interface Node {
  readonly draft: Draft;
  readonly source: Place | undefined;
  readonly destination: Place | undefined;
}

/** `elsewhere`: advice how an image gets a destination of its own. */
export function settleRelations(drafts: readonly Draft[], elsewhere: string): Kept {
  const unsupported: Remark[] = [];
  /** Drafts by the repository that they publish to, in their order. */
  const makers = new Map<string, Node[]>();
  const kept: Node[] = [];
  for (const draft of drafts) {
    const node = { draft, source: sourceOf(draft), destination: destinationOf(draft) };
    const circle = circleOf(node);
    if (circle === undefined) {
      kept.push(node);
      const makersThere = makers.get(repositoryOf(node)) ?? [];
      makers.set(repositoryOf(node), makersThere);
      makersThere.push(node);
    } else {
      const why =
        circle === node
          ? 'it takes what it makes'
          : `it would close a circle, since ${circle.draft.what} takes what it makes`;
      unsupported.push({ at: draft.at, what: draft.what, why: `left out: ${why}` });
    }
  }
  return { drafts: kept.map(settled), unsupported };

  /**
   * The draft that takes this one's images and that this one's own image comes from, however indirectly: with it there would be a circle.
   * It may be the draft itself.
   */
  function circleOf(node: Node): Node | undefined {
    const seen = new Set<Node>();
    const waiting = [node];
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      if (takes(next, node)) return next;
      for (const origin of originsOf(next)) {
        if (!seen.has(origin)) waiting.push(origin);
        seen.add(origin);
      }
    }
    return undefined;
  }

  /** The drafts whose images this one takes. */
  function originsOf(node: Node): readonly Node[] {
    return (makers.get(node.source?.repository ?? '') ?? []).filter((maker) => takes(node, maker));
  }

  function settled(node: Node): Draft {
    const { item } = node.draft;
    const comments: string[] = [];
    const note = (key: string, why: string, comment: string): void => {
      unsupported.push({ at: node.draft.at, what: `${node.draft.what}${key}`, why });
      comments.push(comment);
    };
    const [origin] = originsOf(node);
    const { platforms, missingPlatforms: _, ...rest } = item;
    if (origin !== undefined && platforms !== undefined) {
      const why = `left out: it takes what ${origin.draft.what} makes, with the platforms that are asked for there`;
      note('.platforms', why, `platforms: [${platforms.join(', ')}] ${why}`);
    }
    const rival = rivalOf(node);
    if (rival !== undefined) {
      const why = `a tag of it that ${rival.draft.what} has too is an error, since both go to ${repositoryOf(node)}`;
      note('', `${why}: ${elsewhere}, or leave it out of one with select.exclude`, why);
    }
    return { ...node.draft, item: origin === undefined ? item : rest, comments: [...node.draft.comments, ...comments] };
  }

  /** The first draft before it that may share a destination with it, unless both do the same: those make one entry. */
  function rivalOf(node: Node): Node | undefined {
    const all = makers.get(repositoryOf(node)) ?? [];
    const before = all.slice(0, all.indexOf(node));
    return before.find((other) => meet(other.destination, node.destination) && keyOf(other) !== keyOf(node));
  }
}

function takes({ source }: Node, { destination }: Node): boolean {
  return meet(source, destination);
}

function meet(one: Place | undefined, other: Place | undefined): boolean {
  return one !== undefined && other !== undefined && mayMeet(one, other);
}

function repositoryOf({ destination }: Node): string {
  return destination?.repository ?? '';
}

function keyOf({ draft }: Node): string {
  const { select, ...image } = draft.item;
  return wayOf(image, select === undefined);
}
