const LONGEST = 100;

/**
 * A name of an operation made of a name from elsewhere: other characters become `_`, and a name that is
 * taken gets a number. It is added to those taken.
 */
export function operationName(wanted: string, taken: Set<string>): string {
  const clean = wanted.replaceAll(/[^A-Za-z0-9_-]+/g, "_").slice(0, LONGEST);
  const isName = /^[A-Za-z]/.test(clean) && clean !== "then" && clean !== "toJSON";
  const base = isName ? clean : `op_${clean}`;
  let name = base;
  for (let i = 2; taken.has(name); i += 1) name = `${base}_${i}`;
  taken.add(name);
  return name;
}
