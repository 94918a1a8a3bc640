import * as V from "/work/main/dist/index.js"; const {Hnsw,load,Flat,Ivf,createIndex,factory,compareMetrics}=V;
const d=384; let s_=1; const r_=()=>((s_=(Math.imul(s_,1664525)+1013904223)>>>0)/2**32-.5);
const vec=(n)=>Float32Array.from({length:n*d},r_);
const vectors=vec(700), sample=vec(900), queries=vec(5), query=vec(1), one=vec(1), another=vec(1), stream=[vec(1),vec(1)], controller=new AbortController(), inStock=(id)=>id%2===0;
const readRows=(ids)=>{const o=new Float32Array(ids.length*d); ids.forEach((id,i)=>o.set(vectors.subarray((id%700)*d,(id%700)*d+d),i*d)); return o;};


const index = await Hnsw.create({ dimensions: 384, metric: "cosine" });
index.add(vectors);                          // Float32Array of n * 384, or an array of vectors; ids 0, 1, 2 ...
index.add([one, another], [7001, 7002]);     // or ids of your own, 0 to 4294967294
await index.addAll(stream, {                 // any (async) iterable, in slices of some 8 ms
  signal: controller.signal,
  onProgress: ({ done, total }) => console.log(done, total),
});

const hits = index.search(query, { k: 10 }); // [{ id, distance }, ...], nearest first
index.search(query, { k: 10, ef: 200 });     // a wider beam: finds more, costs more
index.search(query, { k: 10, filter: (id) => inStock(id) });   // k of those that pass
index.search(query, { radius: 0.3 });        // all within
index.search(query, { k: 10, exact: true }); // scan everything, in any family
const many = index.searchBatch(queries, { k: 10 });            // { ids, distances, k } as flat arrays
index.lastStats;                             // { distances, visited, reranked }: what the search cost

index.remove([7001]);                        // gone from every answer at once
await index.compact();                       // gives its memory back
index.has(7002); index.get(7002); index.size; index.bytes; index.stats();

const bytes = index.toBytes();               // a .vic file
const again = await load(bytes);             // checked as a whole before you can search it
index.close();

console.log(0,"ok");
