// What the programs here have in common: rows of floats out of files, and a clock.
#pragma once
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>
#include <vector>
#include <hnswlib/hnswlib.h>

using Clock = std::chrono::steady_clock;
using Answer = std::priority_queue<std::pair<float, hnswlib::labeltype>>;

static double secondsSince(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

template <class T> static std::vector<T> readAll(const std::string& path, size_t values) {
  std::vector<T> all(values);
  std::ifstream file(path, std::ios::binary);
  if (!file.read(reinterpret_cast<char*>(all.data()), values * sizeof(T))) {
    fprintf(stderr, "%s does not hold %zu values\n", path.c_str(), values);
    exit(2);
  }
  return all;
}

static void normalise(std::vector<float>& rows, size_t d) {
  for (size_t at = 0; at < rows.size(); at += d) {
    double sum = 0;
    for (size_t i = 0; i < d; i++) sum += double(rows[at + i]) * rows[at + i];
    for (size_t i = 0; i < d && sum > 0; i++) rows[at + i] = float(rows[at + i] / std::sqrt(sum));
  }
}

static std::unique_ptr<hnswlib::SpaceInterface<float>> spaceOf(const std::string& metric, size_t d) {
  if (metric == "l2") return std::make_unique<hnswlib::L2Space>(d);
  return std::make_unique<hnswlib::InnerProductSpace>(d);
}
