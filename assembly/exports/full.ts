// What the full builds export: the core's, and what learned families and codecs are trained with.
export * from "./core";
export { rescore } from "../search/rerank";
export { ivfSearch } from "../family/ivf/ivf";
export { learnWidth } from "../family/lsh/lsh";
export { treeDepth, treeLeaves } from "../family/tree/tree";
export { pqStep } from "../codec/pq";
export { kmeansAssign, kmeansOpen, kmeansTake, kmeansUpdate } from "../learn/kmeans";
export { opqBegin, opqDecode, opqGather, opqOpen, opqPolar, opqStep, opqTurn } from "../learn/opq";
export {
  finishTables, learnMean, prepareSample, residualError, residualStride, sampleStride, takeCentres, takeResiduals,
} from "../learn/training";
