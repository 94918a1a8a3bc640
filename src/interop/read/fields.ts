/** Which fields of a text file hold the id and the vector, when the user names them. */
export interface FieldNames {
  readonly idField?: string;
  readonly vectorField?: string;
}

const ID_FIELDS = ["id"];
const VECTOR_FIELDS = ["vector", "embedding"];

/** The names that an id has, the likeliest first; exactly one when the user named it. */
export function idNames({ idField }: FieldNames): readonly string[] {
  return idField === undefined ? ID_FIELDS : [idField];
}

export function vectorNames({ vectorField }: FieldNames): readonly string[] {
  return vectorField === undefined ? VECTOR_FIELDS : [vectorField];
}

/** The first of `wanted` that `present` has, spelled alike or else in other letter case. */
export function findName(present: readonly string[], wanted: readonly string[]): string | undefined {
  const exact = wanted.find((name) => present.includes(name));
  return exact ?? present.find((name) => wanted.includes(name.toLowerCase()));
}
