/** How an image of ours should be made. Only builds are asked: what others publish is theirs to make. */
import type { Online, Problem, Rule, Subject } from '../model.ts';
import { inspect, type Inspected } from '../inspect.ts';

/** Names of packages, in any distribution, that bring a program which installs others. */
const MANAGERS = new Set([
  'apk-tools',
  'apt',
  'dpkg',
  'yum',
  'dnf',
  'dnf5',
  'microdnf',
  'rpm',
  'zypper',
  'pacman',
  'opkg',
]);
/** And those that bring a shell; busybox is one whatever else it is. */
const SHELLS = new Set([
  'bash',
  'dash',
  'ash',
  'busybox',
  'busybox-static',
  'zsh',
  'fish',
  'mksh',
  'ksh',
  'ksh93',
  'tcsh',
  'toybox',
  'yash',
]);

const nonRoot: Rule = {
  id: 'non-root',
  severity: 'warning',
  network: true,
  title: 'An image that we build does not run as root.',
  why: 'A process that is broken into can then do less.',
  check: (context, subject) =>
    ofEachPlatform(context, subject, ({ user }) =>
      isRoot(user)
        ? {
            message: `runs as ${user === '' ? 'root, because it names no user' : user}`,
            hint: 'set another user, as accounts.run-as of apko or USER of a Dockerfile',
          }
        : undefined,
    ),
};

/** https://github.com/opencontainers/image-spec/blob/v1.1.1/config.md#properties: `user`, `uid`, `user:group` and so on. */
function isRoot(user: string): boolean {
  const name = user.split(':', 1)[0] ?? '';
  return name === '' || name === 'root' || /^0+$/.test(name);
}

const noShell = without('no-shell', 'shell', SHELLS, 'Whoever gets in has one thing less to work with.');
const noManager = without(
  'no-package-manager',
  'package manager',
  MANAGERS,
  'What is installed is decided when the image is built, and stands in its SBOM.',
);

function without(id: 'no-shell' | 'no-package-manager', what: string, names: ReadonlySet<string>, why: string): Rule {
  return {
    id,
    severity: 'warning',
    network: true,
    title: `An image that we build has no ${what}, by its attested SBOM.`,
    why,
    check: (context, subject) =>
      ofEachPlatform(context, subject, ({ packages }) => {
        if (packages === undefined) {
          const message = `does not say in its attested SBOM what is installed: a ${what} would not be seen`;
          return { message, hint: 'have the SBOM made by a scanner, or by packages that carry their own' };
        }
        const found = [...new Set(packages.filter((name) => names.has(name)))].sort();
        if (found.length === 0) return undefined;
        return {
          message: `has a ${what}: ${found.join(', ')}`,
          hint: 'leave it out, or keep it in an image for development',
        };
      }),
  };
}

async function ofEachPlatform(
  context: Online,
  { entry, planned }: Subject,
  judge: (image: Inspected) => Problem | undefined,
): Promise<readonly Problem[]> {
  if (entry.kind !== 'build' || planned.trust === 'copy') return [];
  const images = await inspect(context, entry);
  if (!images.ok) return [{ message: `the image could not be looked at: ${images.failure.message}` }];
  return images.value.flatMap((image) => {
    const problem = judge(image);
    return problem === undefined ? [] : [{ ...problem, message: `${image.platform} ${problem.message}` }];
  });
}

export const imageRules: readonly Rule[] = [nonRoot, noShell, noManager];
