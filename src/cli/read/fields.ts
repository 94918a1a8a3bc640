/** Which fields of a text file hold the id and the vector, when the user names them. */
export interface Fields {
  readonly idField?: string;
  readonly vectorField?: string;
}

export const ID_FIELD = "id";
export const VECTOR_FIELDS = ["vector", "embedding"];
