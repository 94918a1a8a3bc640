/** Where an index stands, measured, and what to do. See README.md. */

export type { Choice } from "./guide/curve.js";
export { type DoctorOptions, type DoctorReport, doctor } from "./guide/doctor/doctor.js";
export type { Finding, FindingName, Severity } from "./guide/doctor/finding.js";
export type { Point } from "./guide/measuring.js";
export type { Past } from "./guide/past.js";
export type { Bytes } from "./guide/plan/laws.js";
export { type Axis, type Plan, type PlannedDesign, type PlanOptions, plan } from "./guide/plan/plan.js";
export type { Recall } from "./guide/recall.js";
export type { AnyFilter, ShardSet, Tunable } from "./guide/subject.js";
export { type TuneOptions, tune } from "./guide/tune.js";
export {
  type FactoryReport,
  type FactoryRow,
  type Recommendations,
  type TuneFactoryOptions,
  tuneFactory,
} from "./guide/tune-factory.js";
export {
  type Curve,
  type EffortOptions,
  type TuneCost,
  Tuned,
  type TunedData,
  type TunedSearchOptions,
  tuned,
} from "./guide/tuned.js";
