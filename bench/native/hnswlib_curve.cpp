// The native peer: hnswlib on one thread. Reads commands and answers each with one line of JSON, so that hnsw.mjs can
// run it in turn with vicinal; between commands it waits and uses no processor. The same commands as hnsw-worker.mjs.
//   build              builds the index anew: seconds, and bytes of heap it takes
//   search K EF TIMES  all queries, TIMES over: seconds, the K nearest among one round of answers, and distances computed per query
// usage: hnswlib_curve DIR N D QUERIES METRIC M EFC NEIGHBOURS    so many in each row of the truth; DIR holds base.f32, queries.f32, truth.u32, row after row
#include <algorithm>
#include <iostream>
#include <malloc.h>
#include "rows.h"

static hnswlib::DISTFUNC<float> distance;
static size_t distances = 0;
static float countingDistance(const void* a, const void* b, const void* d) {
  distances++;
  return distance(a, b, d);
}

static size_t heapBytes() {
  const auto info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

int main(int argc, char** argv) {
  if (argc != 9) {
    fprintf(stderr, "usage: hnswlib_curve DIR N D QUERIES METRIC M EFC NEIGHBOURS\n");
    return 2;
  }
  const std::string dir = argv[1], metric = argv[5];
  const size_t n = atoi(argv[2]), d = atoi(argv[3]), nq = atoi(argv[4]), m = atoi(argv[6]), efc = atoi(argv[7]), neighbours = atoi(argv[8]);
  auto base = readAll<float>(dir + "/base.f32", n * d);
  auto queries = readAll<float>(dir + "/queries.f32", nq * d);
  const auto truth = readAll<uint32_t>(dir + "/truth.u32", nq * neighbours);
  if (metric == "cosine") normalise(base, d), normalise(queries, d);
  const auto space = spaceOf(metric, d);
  distance = space->get_dist_func();
  std::unique_ptr<hnswlib::HierarchicalNSW<float>> index;
  std::vector<Answer> answers(nq);

  std::string command;
  while (std::cin >> command) {
    if (command == "build") {
      index.reset();
      const size_t before = heapBytes();
      const auto start = Clock::now();
      index = std::make_unique<hnswlib::HierarchicalNSW<float>>(space.get(), n, m, efc);
      for (size_t i = 0; i < n; i++) index->addPoint(&base[i * d], i);
      const double seconds = secondsSince(start);
      printf("{\"seconds\":%.6f,\"bytes\":%zu}\n", seconds, heapBytes() - before);
    } else {
      size_t k, ef, times;
      std::cin >> k >> ef >> times;
      index->setEf(ef);
      // A fifth of the queries brings the caches back, and is counted rather than timed.
      distances = 0;
      index->fstdistfunc_ = countingDistance;
      for (size_t i = 0; i < nq / 5; i++) index->searchKnn(&queries[i * d], k);
      index->fstdistfunc_ = distance;
      const auto start = Clock::now();
      for (size_t t = 0; t < times; t++)
        for (size_t i = 0; i < nq; i++) answers[i] = index->searchKnn(&queries[i * d], k);
      const double seconds = secondsSince(start);
      size_t hits = 0;
      for (size_t i = 0; i < nq; i++) {
        const auto* right = &truth[i * neighbours];
        for (; !answers[i].empty(); answers[i].pop()) hits += std::count(right, right + k, answers[i].top().second);
      }
      printf("{\"seconds\":%.6f,\"hits\":%zu,\"distances\":%.1f}\n", seconds, hits, double(distances) / (nq / 5));
    }
    fflush(stdout);
  }
}
