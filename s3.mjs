import * as V from "/work/main/dist/index.js"; const {Hnsw,load,Flat,Ivf,createIndex,factory,compareMetrics}=V;
const d=384; let s_=1; const r_=()=>((s_=(Math.imul(s_,1664525)+1013904223)>>>0)/2**32-.5);
const vec=(n)=>Float32Array.from({length:n*d},r_);
const vectors=vec(700), sample=vec(900), queries=vec(5), query=vec(1), one=vec(1), another=vec(1), stream=[vec(1),vec(1)], controller=new AbortController(), inStock=(id)=>id%2===0;
const readRows=(ids)=>{const o=new Float32Array(ids.length*d); ids.forEach((id,i)=>o.set(vectors.subarray((id%700)*d,(id%700)*d+d),i*d)); return o;};
const lists = await Ivf.create({ dimensions: 384, nlist: 16 });
await lists.addAll(vectors);              // trains on the way, in slices; add() trains within the call
if (!lists.trained) await lists.train();  // fewer came than it waits for: one for each list or centroid will do
const report = await lists.train(sample); // on vectors of your choice; everything is coded anew
console.log(report.nlist, report.error);  // error: mean squared, of a vector coded and decoded

console.log(3,"ok");
