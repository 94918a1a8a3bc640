/** A vector store of LlamaIndex.TS; needs @llamaindex/core. See README.md. */
export { VicinalVectorStore } from "./adapters/llamaindex.js";
