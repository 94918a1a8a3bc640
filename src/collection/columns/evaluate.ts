// Expressions on whole words: which of some slots pass.
import { type Expression, type Leaf, type Need, needsOf } from "../where/expression.js";
import type { Column } from "./column.js";
import { estimateOf, probe } from "./probe.js";
import { costOf, refine, type Slots } from "./refine.js";

export interface Source {
  /** How many documents there are. */
  size(): number;
  /** The column that a leaf is asked of. */
  columnOf(need: Need): Column;
  /** All slots that pass a leaf, where that is known already. */
  known?(leaf: Leaf): Uint32Array | undefined;
  /** Is told what `known` may know from then on. */
  learn?(leaf: Leaf, passing: Uint32Array): void;
}

/** The slots that are asked; `all`: they are all that hold documents. */
interface Asked extends Slots {
  readonly all: boolean;
}

export function evaluate(expression: Expression, asked: Asked, source: Source): Uint32Array {
  const fewer = (words: Uint32Array): Asked => ({ words, at: asked.at, all: false });
  switch (expression.op) {
    case "and": {
      let left = asked;
      const parts = asked.at ? expression.parts : inOrder(expression.parts, source);
      for (const part of parts) left = fewer(evaluate(part, left, source));
      return left.words;
    }
    case "or": {
      const found = new Uint32Array(asked.words.length);
      let left = asked;
      for (const part of expression.parts) {
        join(found, evaluate(part, left, source));
        left = fewer(without(asked.words, found));
      }
      return found;
    }
    case "not":
      return without(asked.words, evaluate(expression.part, asked, source));
    default:
      return leaf(expression, asked, source);
  }
}

function leaf(of: Leaf, asked: Asked, source: Source): Uint32Array {
  const known = source.known?.(of);
  if (known) return both(asked.words, known);
  const column = columnOf(of, source);
  const passing = refine(column, probe(column, of), asked);
  if (asked.all) source.learn?.(of, passing);
  return passing;
}

function columnOf(leaf: Leaf, source: Source): Column {
  return source.columnOf(needsOf(leaf)[0]);
}

/** Those first that spare the others the most slots for their time. */
function inOrder(parts: readonly Expression[], source: Source): Expression[] {
  const ranks = new Map(
    parts.map((part) => {
      const { cost, share } = guess(part, source);
      return [part, cost / Math.max(1 - share, 1e-3)] as const;
    }),
  );
  return [...parts].sort((a, b) => ranks.get(a)! - ranks.get(b)!);
}

/** About what a part takes for a slot, one look at a table being 1, and the share of documents that pass. */
function guess(expression: Expression, source: Source): { readonly cost: number; readonly share: number } {
  switch (expression.op) {
    case "and":
    case "or": {
      const parts = expression.parts.map((part) => guess(part, source));
      const cost = parts.reduce((sum, part) => sum + part.cost, 0);
      const shares = parts.map(({ share }) => share);
      return {
        cost,
        share:
          expression.op === "and"
            ? Math.min(1, ...shares)
            : Math.min(
                1,
                shares.reduce((a, b) => a + b, 0),
              ),
      };
    }
    case "not": {
      const { cost, share } = guess(expression.part, source);
      return { cost, share: 1 - share };
    }
    default: {
      const column = columnOf(expression, source);
      const asks = probe(column, expression);
      const share = Math.min(1, estimateOf(asks, column) / Math.max(source.size(), 1));
      return { cost: source.known?.(expression) ? 0 : costOf(column, asks), share };
    }
  }
}

function both(words: Uint32Array, others: Uint32Array): Uint32Array {
  const left = new Uint32Array(words.length);
  for (let w = 0; w < left.length; w++) left[w] = words[w] & others[w];
  return left;
}

function join(into: Uint32Array, more: Uint32Array): void {
  for (let w = 0; w < into.length; w++) into[w] |= more[w];
}

function without(words: Uint32Array, less: Uint32Array): Uint32Array {
  const left = new Uint32Array(words.length);
  for (let w = 0; w < left.length; w++) left[w] = words[w] & ~less[w];
  return left;
}
