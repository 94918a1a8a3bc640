import * as vicinal from "vicinal";
import module from "vicinal/wasm/simd.wasm";
import { roundTrip } from "./round-trip.js";

export default {
  async fetch() {
    return Response.json(await roundTrip(vicinal, { module }));
  },
};
