using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [(name = "main", worker = .main)],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);

const main :Workerd.Worker = (
  modules = [
    (name = "cloudflare.js", esModule = embed "bundle/cloudflare.js"),
    (name = "vicinal/wasm/simd.wasm", wasm = embed "node_modules/vicinal/dist/wasm/simd.wasm"),
  ],
  compatibilityDate = "2026-01-01",
);
