import { Kind, type TSchema } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { pointer } from "../schema/json-schema.ts";
import type { ParsedSchema } from "../schema/parse-schema.ts";
import { type Compare, isSafe, type SchemaChange, worstOf } from "./change.ts";
import { compareObjects } from "./compare-objects.ts";

/** Keywords with a limit, and how to tell that a new one is at least as wide. */
const LIMITS: Readonly<Record<string, (old: number, now: number) => boolean>> = {
  minLength: (old, now) => now <= old,
  maxLength: (old, now) => now >= old,
  minimum: (old, now) => now <= old,
  maximum: (old, now) => now >= old,
  exclusiveMinimum: (old, now) => now <= old,
  exclusiveMaximum: (old, now) => now >= old,
  minItems: (old, now) => now <= old,
  maxItems: (old, now) => now >= old,
  minProperties: (old, now) => now <= old,
  maxProperties: (old, now) => now >= old,
  // only whole ratios: 0.3 is no multiple of 0.1 in binary
  multipleOf: (old, now) => old === now || (Number.isInteger(now) && old % now === 0),
};
/** Keywords that may only stay or go. */
const STAY_OR_GO = ["pattern", "format", "uniqueItems", "contains", "minContains", "maxContains"];

/**
 * Everything that differs between two schemas, and whether data valid under the old one stays valid under
 * the new one. What cannot be decided counts as breaking.
 */
export function compareSchemas(old: ParsedSchema, now: ParsedSchema): readonly SchemaChange[] {
  return new Comparison(old, now).compare(old.root, now.root, "");
}

class Comparison {
  readonly #old: ParsedSchema;
  readonly #now: ParsedSchema;
  /** Pairs being compared further up: recursive types are equal as long as nothing says otherwise. */
  readonly #open: (readonly [TSchema, TSchema])[] = [];

  constructor(old: ParsedSchema, now: ParsedSchema) {
    this.#old = old;
    this.#now = now;
  }

  readonly compare: Compare = (oldOrRef, nowOrRef, path) => {
    const old = resolve(oldOrRef, this.#old);
    const now = resolve(nowOrRef, this.#now);
    if (this.#open.some(([a, b]) => a === old && b === now)) return [];
    this.#open.push([old, now]);
    try {
      return this.#kinds(old, now, path);
    } finally {
      this.#open.pop();
    }
  };

  #kinds(old: TSchema, now: TSchema, path: string): readonly SchemaChange[] {
    if (takesAll(now)) return takesAll(old) ? annotations(old, now, path) : [loosened(path)];
    if (old[Kind] === "Never") return now[Kind] === "Never" ? [] : [loosened(path)];
    const values = finiteValues(old, this.#old);
    if (values !== null) return this.#finite(values, old, now, path);
    if (old[Kind] === "Union" || now[Kind] === "Union") return this.#unions(old, now, path);
    const pair = `${old[Kind]} ${now[Kind]}`;
    switch (pair) {
      case "Object Object":
        return [
          ...compareObjects(old, now, { path, compare: this.compare }),
          ...limits(old, now, path),
          ...annotations(old, now, path),
        ];
      case "Record Record":
        return [...this.#records(old, now, path), ...limits(old, now, path)];
      case "Array Array":
        return [
          ...this.compare(old.items, now.items, pointer(path, "*")),
          ...limits(old, now, path),
          ...annotations(old, now, path),
        ];
      case "Tuple Tuple":
        return this.#tuples(old, now, path);
      case "Intersect Intersect":
        return this.#intersections(old, now, path);
      case "Integer Number":
        return [
          { kind: "additive", rule: "type-widened", path, message: "takes fractions too" },
          ...limits(old, now, path),
        ];
      case "String String":
      case "Number Number":
      case "Integer Integer":
        return [...limits(old, now, path), ...annotations(old, now, path)];
    }
    if (old[Kind] === now[Kind] && this.#same(old, now)) return annotations(old, now, path);
    if (old[Kind] === now[Kind]) return [undecided(path)];
    return [
      {
        kind: "breaking",
        rule: "type-changed",
        path,
        message: `was ${nameOf(old)} and is ${nameOf(now)}`,
      },
    ];
  }

  /** Where all old values are known, they are simply checked. */
  #finite(
    values: readonly unknown[],
    old: TSchema,
    now: TSchema,
    path: string,
  ): readonly SchemaChange[] {
    const changes: SchemaChange[] = values
      .filter((value) => !Value.Check(now, this.#now.references, value))
      .map((value) => ({
        kind: "breaking",
        rule: "value-removed",
        path,
        message: `${JSON.stringify(value)} is no longer allowed`,
      }));
    const nowValues = finiteValues(now, this.#now);
    if (nowValues === null) return [...changes, loosened(path)];
    const added = nowValues.filter((value) => !values.includes(value));
    changes.push(
      ...added.map(
        (value): SchemaChange => ({
          kind: "additive",
          rule: "value-added",
          path,
          message: `${JSON.stringify(value)} is allowed too`,
        }),
      ),
    );
    return changes.length > 0 ? changes : annotations(old, now, path);
  }

  #unions(old: TSchema, now: TSchema, path: string): readonly SchemaChange[] {
    const olds = alternatives(old, this.#old);
    const nows = alternatives(now, this.#now);
    const changes: SchemaChange[] = [];
    const used = new Set<TSchema>();
    for (const [i, alternative] of olds.entries()) {
      const tries = nows.map((candidate) => ({
        candidate,
        changes: this.compare(alternative, candidate, path),
      }));
      const best =
        tries.find((it) => it.changes.length === 0) ??
        tries.find((it) => isSafe(it.changes)) ??
        tries.find((it) => worstOf(it.changes) !== "breaking");
      if (best !== undefined) {
        used.add(best.candidate);
        changes.push(...best.changes);
        continue;
      }
      const message = `alternative ${i + 1}, ${nameOf(alternative)}, is no longer allowed as it was`;
      changes.push({ kind: "breaking", rule: "alternative-removed", path, message });
      const [only, ...others] = tries.filter(
        ({ candidate }) => candidate[Kind] === alternative[Kind],
      );
      if (only !== undefined && others.length === 0) changes.push(...only.changes);
    }
    if (nows.some((candidate) => !used.has(candidate))) {
      changes.push({
        kind: "additive",
        rule: "alternative-added",
        path,
        message: "takes one more alternative",
      });
    }
    return changes.length > 0 ? changes : annotations(old, now, path);
  }

  #records(old: TSchema, now: TSchema, path: string): readonly SchemaChange[] {
    const [[oldPattern, oldValue] = ["", old]] = Object.entries<TSchema>(old.patternProperties);
    const [[nowPattern, nowValue] = ["", now]] = Object.entries<TSchema>(now.patternProperties);
    if (oldPattern !== nowPattern) return [undecided(path)];
    const changes = this.compare(oldValue, nowValue, pointer(path, "*"));
    const [before, after] = [old.additionalProperties ?? true, now.additionalProperties ?? true];
    if (after === true) return before === true ? changes : [...changes, loosened(path)];
    return JSON.stringify(before) === JSON.stringify(after) && typeof before === "boolean"
      ? changes
      : [...changes, undecided(path)];
  }

  #tuples(old: TSchema, now: TSchema, path: string): readonly SchemaChange[] {
    const [before, after] = [(old.items ?? []) as TSchema[], (now.items ?? []) as TSchema[]];
    if (before.length !== after.length) {
      const message = `was a list of exactly ${before.length} and is one of ${after.length}`;
      return [{ kind: "breaking", rule: "length-changed", path, message }];
    }
    return before.flatMap((item, i) => this.compare(item, after[i] as TSchema, pointer(path, i)));
  }

  /** Each part may widen; with closed rest (`unevaluatedProperties`) that could close it elsewhere. */
  #intersections(old: TSchema, now: TSchema, path: string): readonly SchemaChange[] {
    if (this.#same(old, now)) return annotations(old, now, path);
    const [before, after] = [old.allOf as TSchema[], now.allOf as TSchema[]];
    const closed = [old, now].some((schema) => schema.unevaluatedProperties !== undefined);
    if (closed || before.length !== after.length) return [undecided(path)];
    return before.flatMap((part, i) => this.compare(part, after[i] as TSchema, path));
  }

  /** Equal to the letter, and so is everything they refer to. */
  #same(old: TSchema, now: TSchema): boolean {
    const text = (schema: TSchema): string => JSON.stringify(schema);
    if (text(old) !== text(now)) return false;
    if (!text(old).includes('"$ref"')) return true;
    return this.#old.references.every((reference, i) => {
      const other = this.#now.references[i];
      return other !== undefined && text(reference) === text(other);
    });
  }
}

function resolve(schema: TSchema, { references }: ParsedSchema): TSchema {
  let resolved = schema;
  while (resolved[Kind] === "Ref") {
    const id: unknown = resolved.$ref;
    resolved = references.find((reference) => reference.$id === id) as TSchema;
  }
  return resolved;
}

function alternatives(schema: TSchema, parsed: ParsedSchema): readonly TSchema[] {
  const resolved = resolve(schema, parsed);
  if (resolved[Kind] !== "Union") return [resolved];
  return (resolved.anyOf as TSchema[]).flatMap((member) => alternatives(member, parsed));
}

/** The values a schema takes, where they can be counted; null where they cannot. */
function finiteValues(schema: TSchema, parsed: ParsedSchema): readonly unknown[] | null {
  const values: unknown[] = [];
  for (const alternative of alternatives(schema, parsed)) {
    if (alternative[Kind] === "Literal") values.push(alternative.const);
    else if (alternative[Kind] === "Null") values.push(null);
    else if (alternative[Kind] === "Boolean") values.push(true, false);
    else return null;
  }
  return values;
}

function takesAll(schema: TSchema): boolean {
  return schema[Kind] === "Unknown" || schema[Kind] === "Any";
}

function limits(old: TSchema, now: TSchema, path: string): readonly SchemaChange[] {
  const changes: SchemaChange[] = [];
  for (const keyword of [...Object.keys(LIMITS), ...STAY_OR_GO]) {
    const [before, after]: unknown[] = [effective(old[keyword]), effective(now[keyword])];
    // references are our own ids, which may mean something else on the other side
    const refers = JSON.stringify([before, after]).includes('"$ref"');
    if (JSON.stringify(before) === JSON.stringify(after) && !refers) continue;
    const wider =
      after === undefined ||
      (typeof before === "number" &&
        typeof after === "number" &&
        (LIMITS[keyword]?.(before, after) ?? false));
    changes.push({
      kind: wider ? "additive" : "breaking",
      rule: wider ? "constraint-loosened" : "constraint-tightened",
      path,
      message: `"${keyword}" was ${show(before)} and is ${show(after)}`,
    });
  }
  return changes;
}

/** `uniqueItems: false` is no constraint. */
function effective(value: unknown): unknown {
  return value === false ? undefined : value;
}

function show(value: unknown): string {
  return value === undefined ? "not there" : JSON.stringify(value);
}

const SAID = ["title", "description", "default", "examples", "deprecated"] as const;

function annotations(old: TSchema, now: TSchema, path: string): readonly SchemaChange[] {
  const changed = SAID.filter((word) => JSON.stringify(old[word]) !== JSON.stringify(now[word]));
  return changed.map((word) => ({
    kind: "additive",
    rule: "annotation-changed",
    path,
    message: `"${word}" changed`,
  }));
}

function loosened(path: string): SchemaChange {
  return { kind: "additive", rule: "type-widened", path, message: "takes more values than before" };
}

function undecided(path: string): SchemaChange {
  return {
    kind: "breaking",
    rule: "cannot-compare",
    path,
    message: "changed in a way that cannot be shown to take all old values",
  };
}

function nameOf(schema: TSchema): string {
  if (schema[Kind] === "Literal") return JSON.stringify(schema.const);
  return schema[Kind].toLowerCase();
}
