import * as V from "/work/main/dist/index.js"; const {Hnsw,load,Flat,Ivf,createIndex,factory,compareMetrics}=V;
const d=384; let s_=1; const r_=()=>((s_=(Math.imul(s_,1664525)+1013904223)>>>0)/2**32-.5);
const vec=(n)=>Float32Array.from({length:n*d},r_);
const vectors=vec(700), sample=vec(900), queries=vec(5), query=vec(1), one=vec(1), another=vec(1), stream=[vec(1),vec(1)], controller=new AbortController(), inStock=(id)=>id%2===0;
const readRows=(ids)=>{const o=new Float32Array(ids.length*d); ids.forEach((id,i)=>o.set(vectors.subarray((id%700)*d,(id%700)*d+d),i*d)); return o;};


const chosen = await createIndex({ dimensions: 384, expected: 1_000_000, maxBytes: 512 * 2 ** 20 });
console.log(chosen.why);       // Ivf of 4,000 lists, rabitq of 1 bits with sq8 rows to re-score, about 499.5 MiB: ...

const described = await factory("IVF1024,PQ48x4,RFlat", { dimensions: 384, metric: "cosine" });
console.log(described.stats().factory);

console.log(1,"ok");
