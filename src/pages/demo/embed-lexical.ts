// The worker of pages that have no sentence model: vectors by wording alone.
import { lexicalEmbedder } from "../../cli/embed/lexical.js";
import { serveTexts } from "./embed-serving.js";
import { type Passage, textOf } from "./passage.js";

const passages: Passage[] = await (await fetch("passages.json")).json();
const { dimensions, description, embed } = lexicalEmbedder(passages.map(textOf));

serveTexts({
  kind: "lexical",
  dimensions,
  description,
  async embed(texts) {
    const vectors = await embed(texts);
    return texts.map((_, i) => vectors.slice(i * dimensions, (i + 1) * dimensions));
  },
});
