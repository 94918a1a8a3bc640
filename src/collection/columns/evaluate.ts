// Expressions on whole words: which of some slots pass.
import type { Expression, Leaf, Need } from "../where/expression.js";
import type { Column } from "./column.js";
import { estimateOf, probe } from "./probe.js";
import { refine } from "./refine.js";

export interface Source {
  /** The column that a leaf is asked of. */
  columnOf(need: Need): Column;
  /** All slots that pass a leaf, where that is known already. */
  known?(leaf: Leaf): Uint32Array | undefined;
  /** Is told what `known` may know from then on. */
  learn?(leaf: Leaf, passing: Uint32Array): void;
}

/** The slots that are asked. */
interface Asked {
  readonly words: Uint32Array;
  /** They are all that hold documents. */
  readonly all: boolean;
}

export function evaluate(expression: Expression, asked: Asked, source: Source): Uint32Array {
  switch (expression.op) {
    case "and": {
      let left = asked;
      for (const part of inOrder(expression.parts, source)) left = { words: evaluate(part, left, source), all: false };
      return left.words;
    }
    case "or": {
      const found = new Uint32Array(asked.words.length);
      let left = asked;
      for (const part of expression.parts) {
        join(found, evaluate(part, left, source));
        left = { words: without(asked.words, found), all: false };
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
  if (known) return asked.words.map((word, w) => word & known[w]);
  const column = columnOf(of, source);
  const passing = refine(column, probe(column, of), asked.words);
  if (asked.all) source.learn?.(of, passing);
  return passing;
}

function columnOf({ op, path }: Leaf, source: Source): Column {
  return source.columnOf({ path, of: op === "whole" ? "wholes" : "values" });
}

/** Those first that leave the fewest to ask. */
function inOrder(parts: readonly Expression[], source: Source): Expression[] {
  const guesses = new Map(parts.map((part) => [part, guess(part, source)]));
  return [...parts].sort((a, b) => guesses.get(a)! - guesses.get(b)!);
}

/** About how many documents pass. */
function guess(expression: Expression, source: Source): number {
  switch (expression.op) {
    case "and":
      return Math.min(...expression.parts.map((part) => guess(part, source)), Infinity);
    case "or":
      return expression.parts.reduce((sum, part) => sum + guess(part, source), 0);
    case "not":
      return Infinity;
    default: {
      const column = columnOf(expression, source);
      return estimateOf(probe(column, expression), column);
    }
  }
}

function join(into: Uint32Array, more: Uint32Array): void {
  for (let w = 0; w < into.length; w++) into[w] |= more[w];
}

function without(words: Uint32Array, less: Uint32Array): Uint32Array {
  const left = new Uint32Array(words.length);
  for (let w = 0; w < left.length; w++) left[w] = words[w] & ~less[w];
  return left;
}
