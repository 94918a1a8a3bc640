/** "Uint8Array", "Set": what a value is, also where it comes from another realm (an iframe, node:vm), whose classes are others. */
export function tagOf(value: unknown): string | undefined {
  return (value as { [Symbol.toStringTag]?: string } | null | undefined)?.[Symbol.toStringTag];
}
