import * as vicinal from "vicinal";
import { roundTrip } from "./round-trip.js";

console.log(JSON.stringify(await roundTrip(vicinal, JSON.parse(process.argv[2]))));
