/** An index in workers: searched by several, or kept off the thread that asks. See README.md. */

export {
  Pool,
  type PoolBatchOptions,
  type PoolFilter,
  type PoolOptions,
  type PoolSearchOptions,
  type PoolSource,
  remote,
} from "./pool/pool.js";
