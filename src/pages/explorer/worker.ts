// The worker: measures indices and runs experiments.
import { serveJobs } from "./jobs.js";
import { measureAll } from "./measuring.js";

serveJobs({ measure: measureAll });
