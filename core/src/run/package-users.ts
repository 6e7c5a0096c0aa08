/** Packages belong to no entry of their own. */
import type { Task } from '../plan/model.ts';

/** Package task → an entry that needs it, directly or through other packages. */
export function usersOfPackages(tasks: readonly Task[]): ReadonlyMap<string, string> {
  const packages = new Map(
    tasks.filter(({ contract }) => contract === 'package.build@1').map((task) => [task.id, task]),
  );
  const users = new Map<string, string>();
  for (const { entry, needs } of tasks) {
    if (entry === null) continue;
    const open = needs.filter((need) => packages.has(need));
    for (let id = open.pop(); id !== undefined; id = open.pop()) {
      if (users.has(id)) continue;
      users.set(id, entry);
      for (const need of packages.get(id)?.needs ?? []) open.push(need);
    }
  }
  return users;
}
