/** What `make` gives for a key, made when it is first asked for and kept from then on. */
export function once<K, T>(made: Map<K, T>, key: K, make: () => T): T {
  const known = made.get(key) ?? make();
  made.set(key, known);
  return known;
}
