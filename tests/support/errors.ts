// Errors as calls must throw them.
import { type ErrorCode, VicinalError } from "vicinal";
import { expect } from "vitest";

/** What `work` throws, of whatever kind; undefined where it does not. */
export async function thrownBy(work: () => unknown): Promise<unknown> {
  try {
    await work();
    return undefined;
  } catch (error) {
    return error;
  }
}

/** `work` must throw a VicinalError of this code, with a sentence that says `saying`. */
export async function expectError(work: () => unknown, code: ErrorCode, saying: string | RegExp): Promise<void> {
  const error = await thrownBy(work);
  expect(error).toBeInstanceOf(VicinalError);
  expect((error as VicinalError).code).toBe(code);
  expect((error as VicinalError).message).toMatch(saying);
}
