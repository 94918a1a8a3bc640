// The worker: measures indices and runs experiments.
import { serveJobs } from "./jobs.js";
import { measureKernel } from "./kernel-job.js";
import { measureAll } from "./measuring.js";
import { RUNS } from "./stories/all.js";

const stories = Object.fromEntries(
  Object.entries(RUNS).map(([id, run]) => [id, (_: unknown, tell: Parameters<typeof run>[0]) => run(tell)]),
);

serveJobs({ measure: measureAll, kernel: measureKernel, ...stories });
