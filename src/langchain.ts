/** A vector store of LangChain.js; needs @langchain/core. See README.md. */
export { type StoreFilter, type StoreOpenOptions, type StoreOptions, VicinalStore } from "./adapters/langchain.js";
