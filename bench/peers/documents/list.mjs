// Stores of documents that are searched by vector and by fields: { name, packages, how, efforts }. Each has an adapter of its name
// here; efforts are those of the search, [0] where it is exact.
const EFS = [10, 20, 40, 80, 160, 320];

export const STORES = [
  { name: "vicinal", packages: [], how: "a folder, graph of M 16 over f32", efforts: EFS },
  {
    name: "lancedb",
    packages: ["@lancedb/lancedb"],
    how: "a folder, IVF_HNSW_SQ of one partition, refined twice; btree",
    efforts: EFS,
  },
  {
    name: "pglite",
    packages: ["@electric-sql/pglite", "@electric-sql/pglite-pgvector"],
    how: "a folder, pgvector's hnsw of M 16, iterative scan; btree",
    efforts: EFS,
  },
  {
    name: "sqlite-vec",
    packages: ["sqlite-vec", "better-sqlite3"],
    how: "a file, vec0 with a metadata column, exact",
    efforts: [0],
  },
  { name: "vectra", packages: ["vectra"], how: "a folder of JSON, the field indexed, exact", efforts: [0] },
  { name: "orama", packages: ["@orama/orama"], how: "its save() as a JSON file, exact", efforts: [0] },
];
