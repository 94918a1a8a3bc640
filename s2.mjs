import * as V from "/work/main/dist/index.js"; const {Hnsw,load,Flat,Ivf,createIndex,factory,compareMetrics}=V;
const d=384; let s_=1; const r_=()=>((s_=(Math.imul(s_,1664525)+1013904223)>>>0)/2**32-.5);
const vec=(n)=>Float32Array.from({length:n*d},r_);
const vectors=vec(700), sample=vec(900), queries=vec(5), query=vec(1), one=vec(1), another=vec(1), stream=[vec(1),vec(1)], controller=new AbortController(), inStock=(id)=>id%2===0;
const readRows=(ids)=>{const o=new Float32Array(ids.length*d); ids.forEach((id,i)=>o.set(vectors.subarray((id%700)*d,(id%700)*d+d),i*d)); return o;};


const small = await Flat.create({
  dimensions: 384,
  codec: { type: "rabitq", bits: 2 },
  rerank: { codec: "sq8", factor: "adaptive" },  // or rerank: true: f32 rows, the best 4 k or 10 k candidates
});

const codes = await Ivf.create({
  dimensions: 384,
  codec: { type: "pq", m: 48, rotate: "opq" },
  rerank: { fetchVectors: (ids) => readRows(ids) },  // n x 384 numbers, or a promise of them
});
codes.add(vectors); await codes.train(); const nearest = await codes.searchAsync(query, { k: 10 });   // search() where fetchVectors answers at once

console.log(2,"ok");
