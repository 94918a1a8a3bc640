// The worker of pages that have the sentence model, which the server hands out from where npm has put it.
import * as core from "@energetic-ai/core";
import { initModel } from "@energetic-ai/embeddings";
import { serveTexts } from "./embed-serving.js";

/** Of TensorFlow.js, whose types that package names and does not bring. */
const { loadGraphModel, setWasmPaths } = core as unknown as {
  loadGraphModel(url: string): Promise<never>;
  setWasmPaths(prefix: string): void;
};

setWasmPaths("/model/");
const model = await initModel(async () => {
  const [graph, vocabulary] = await Promise.all([
    loadGraphModel("/model/model.json"),
    fetch("/model/vocab.json").then((answer) => answer.json()),
  ]);
  return { model: graph, vocabulary };
});

serveTexts({
  kind: "sentences",
  dimensions: 512,
  description: "the Universal Sentence Encoder, run in this page: compares meaning, of English",
  async embed(texts) {
    return (await model.embed([...texts])).map((row) => Float32Array.from(row));
  },
});
