/** `embed` by a model that transformers.js runs; needs @huggingface/transformers. See README.md. */
export { type Embedder, type EmbedderOptions, embedder, type Transformers } from "./adapters/transformers.js";
