import * as vicinal from "vicinal/static";
import { everything } from "./everything.js";

self.addEventListener("message", ({ ports: [port] }) => everything(vicinal).then((answer) => port.postMessage(answer)));
