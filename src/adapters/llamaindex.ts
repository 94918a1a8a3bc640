// LlamaIndex.TS: a vector store that is a collection, whose documents' data are the nodes' metadata and, as LlamaIndex writes them, the
// nodes themselves.
import type { BaseNode } from "@llamaindex/core/schema";
import {
  BaseVectorStore,
  metadataDictToNode,
  nodeToMetadata,
  type VectorStoreBaseParams,
  type VectorStoreQuery,
  type VectorStoreQueryResult,
} from "@llamaindex/core/vector-store";
import type { Data } from "../collection/reading.js";
import type { Where } from "../collection/where/parse.js";
import { badOption } from "../words/errors.js";
import type { Metric } from "../words/kinds.js";
import { oneOf } from "../words/options.js";
import { whereOf } from "./llamaindex-where.js";
import { checkOpened, type Opened } from "./opened.js";
import { similarityOf } from "./similarity.js";
import { various } from "./various.js";

/** Of so many times k nodes mmr chooses. */
const FETCH_FACTOR = 4;

export class VicinalVectorStore extends BaseVectorStore<Opened> {
  storesText = true;
  readonly #collection: Opened;
  #metric: Metric | undefined;

  /** On a collection that is open, whose dimensions are those of the embedding model (`embedModel`, or that of Settings). */
  constructor(options: VectorStoreBaseParams & { collection: Opened }) {
    super(options);
    this.#collection = checkOpened(options.collection);
  }

  client(): Opened {
    return this.#collection;
  }

  /** Puts nodes in, which must have their embeddings, in place of those with their ids; all or none. Returns their ids. */
  async add(nodes: BaseNode[]): Promise<string[]> {
    await this.#collection.upsert(
      nodes.map((node) => ({ id: node.id_, vector: node.getEmbedding(), data: nodeToMetadata(node) as object })),
    );
    return nodes.map(({ id_ }) => id_);
  }

  /** Removes all nodes of a document. */
  async delete(refDocId: string): Promise<void> {
    await this.#collection.delete({ where: { ref_doc_id: refDocId } });
  }

  /**
   * The nearest nodes with their similarities, more being nearer. Modes: "default", and "mmr", whose `mmrThreshold` (0.5) is how much
   * relevance counts. Filters: all but text_match. Errors: BAD_OPTION.
   */
  async query(query: VectorStoreQuery): Promise<VectorStoreQueryResult> {
    const { queryEmbedding, similarityTopK: k, mode, mmrThreshold: lambda = 0.5 } = query;
    oneOf("mode", mode, ["default", "mmr"]);
    if (!queryEmbedding) throw badOption("a query needs its queryEmbedding");
    this.#metric ??= (await this.#collection.stats()).metric as Metric;
    const metric = this.#metric;
    const options = { k, where: conditionsOf(query) };
    const hits =
      String(mode) === "mmr"
        ? await various(this.#collection, queryEmbedding, { candidates: FETCH_FACTOR * k, lambda }, options)
        : await this.#collection.search(queryEmbedding, options);
    return {
      nodes: hits.map(({ data }) => metadataDictToNode(data as Data)),
      similarities: hits.map(({ distance }) => similarityOf(metric, distance)),
      ids: hits.map(({ id }) => String(id)),
    };
  }
}

function conditionsOf({ filters, docIds }: VectorStoreQuery): Where {
  const parts = [...(filters ? [whereOf(filters)] : []), ...(docIds ? [{ ref_doc_id: { $in: docIds } }] : [])];
  return parts.length > 0 ? { $and: parts } : {};
}
