import * as vicinal from "vicinal";
import { roundTrip } from "./round-trip.js";

self.onmessage = async ({ data }) => postMessage(await roundTrip(vicinal, data));
