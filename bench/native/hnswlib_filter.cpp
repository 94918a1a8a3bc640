// hnswlib under a filter on one thread: one index, one mask for every query. Reads commands and answers each with one line of JSON,
// so that filter-contest.mjs can run it in turn with vicinal; between commands it waits and uses no processor.
//   build              builds the index: seconds
//   masks              reads DIR/masks.u8 anew: a byte per query and base row, 1 = may be answered
//   search EF TIMES    all queries, each with its mask, TIMES over: seconds, and the ids of one round of answers
// usage: hnswlib_filter DIR N D QUERIES METRIC M EFC K    DIR holds base.f32, queries.f32 and masks.u8, row after row
#include <iostream>
#include "rows.h"

struct Mask : hnswlib::BaseFilterFunctor {
  const uint8_t* passes;
  bool operator()(hnswlib::labeltype id) override { return passes[id]; }
};

static void printIds(std::vector<Answer>& answers) {
  for (size_t i = 0; i < answers.size(); i++) {
    printf(i ? ",[" : "[");
    for (bool first = true; !answers[i].empty(); answers[i].pop(), first = false) printf(first ? "%zu" : ",%zu", answers[i].top().second);
    printf("]");
  }
}

int main(int argc, char** argv) {
  if (argc != 9) {
    fprintf(stderr, "usage: hnswlib_filter DIR N D QUERIES METRIC M EFC K\n");
    return 2;
  }
  const std::string dir = argv[1], metric = argv[5];
  const size_t n = atoi(argv[2]), d = atoi(argv[3]), nq = atoi(argv[4]), m = atoi(argv[6]), efc = atoi(argv[7]), k = atoi(argv[8]);
  auto base = readAll<float>(dir + "/base.f32", n * d);
  auto queries = readAll<float>(dir + "/queries.f32", nq * d);
  if (metric == "cosine") normalise(base, d), normalise(queries, d);
  const auto space = spaceOf(metric, d);
  hnswlib::HierarchicalNSW<float> index(space.get(), n, m, efc);
  std::vector<uint8_t> masks;
  std::vector<Answer> answers(nq);
  const auto searchAll = [&] {
    Mask mask;
    for (size_t i = 0; i < nq; i++) {
      mask.passes = &masks[i * n];
      answers[i] = index.searchKnn(&queries[i * d], k, &mask);
    }
  };

  std::string command;
  while (std::cin >> command) {
    const auto start = Clock::now();
    if (command == "search") {
      size_t ef, times;
      std::cin >> ef >> times;
      index.setEf(ef);
      for (size_t t = 0; t < times; t++) searchAll();
      printf("{\"seconds\":%.6f,\"ids\":[", secondsSince(start));
      printIds(answers);
      printf("]}\n");
    } else {
      if (command == "build") for (size_t i = 0; i < n; i++) index.addPoint(&base[i * d], i);
      else masks = readAll<uint8_t>(dir + "/masks.u8", nq * n);
      printf("{\"seconds\":%.6f}\n", secondsSince(start));
    }
    fflush(stdout);
  }
}
