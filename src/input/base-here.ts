/** What relative urls are of: a page or a worker; undefined elsewhere. */
export function baseHere(): string | undefined {
  const { document, location } = globalThis as { document?: { baseURI: string }; location?: { href: string; origin: string } };
  return document?.baseURI ?? (location?.href.startsWith("blob:") ? location.origin : location?.href);
}
