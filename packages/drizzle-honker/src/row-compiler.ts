import type { RawRow, RowPlan, RowShape } from "./row-plan.ts";

/**
 * Generates the function that builds the objects of a plan, or returns `undefined` where generating
 * code is forbidden (`--disallow-code-generation-from-strings`). Nothing but array positions and the
 * selection's keys, as JSON strings, gets into the code; values are only ever passed to it.
 */
export function compileRows(plan: RowPlan): ((rows: readonly RawRow[]) => unknown[]) | undefined {
  const used = plan.decoders.flatMap((decode, index) => (decode === undefined ? [] : [index]));
  const code = `"use strict";
${used.map((index) => `const d${index} = decoders[${index}];`).join("\n")}
return (rows) => {
  const result = new Array(rows.length);
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i];
    ${used.map((index) => `const v${index} = row[${index}];`).join(" ")}
    result[i] = ${literal(plan.shape, plan)};
  }
  return result;
};`;
  try {
    return new Function("decoders", code)(plan.decoders) as (rows: readonly RawRow[]) => unknown[];
  } catch (error) {
    if (error instanceof EvalError) return undefined;
    throw error;
  }
}

function literal(shape: RowShape, plan: RowPlan): string {
  const entries = [...shape].map(([key, source]) => {
    if (typeof source === "number") return `${property(key)}: ${value(source, plan)}`;
    const object = literal(source.shape, plan);
    if (source.nullWhen === undefined) return `${property(key)}: ${object}`;
    const missing = source.nullWhen.map((index) => `row[${index}] === null`).join(" && ");
    return `${property(key)}: ${missing} ? null : ${object}`;
  });
  return `{ ${entries.join(", ")} }`;
}

function value(index: number, plan: RowPlan): string {
  if (plan.decoders[index] === undefined) return `row[${index}]`;
  return `v${index} === null ? null : d${index}(v${index})`;
}

/** A quoted key; computed where `"__proto__": x` would set the prototype. */
function property(key: string): string {
  return key === "__proto__" ? '["__proto__"]' : JSON.stringify(key);
}
