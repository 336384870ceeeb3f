// hnswlib at the parameters of a benchmark: builds one graph, searches it, prints one line of JSON.
//
//   hnswlib-bench FOLDER DIMENSIONS METRIC M EF_CONSTRUCTION time EF… [count EF…]
//
// FOLDER is what `edgevec-bench prepare` wrote. Each ef behind `time` gives recall and CPU time, each
// behind `count` recall and distance computations; times are taken with the library's own kernel,
// counts with one that counts and calls it. One thread.
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "hnswlib/hnswlib.h"

static hnswlib::DISTFUNC<float> kernel;
static uint64_t distances = 0;

static float counting(const void *a, const void *b, const void *dimensions) {
    distances++;
    return kernel(a, b, dimensions);
}

template <typename T> static std::vector<T> read(const std::string &path) {
    std::ifstream file(path, std::ios::binary | std::ios::ate);
    if (!file) throw std::runtime_error(path + " cannot be read");
    std::vector<T> values(static_cast<size_t>(file.tellg()) / sizeof(T));
    file.seekg(0);
    file.read(reinterpret_cast<char *>(values.data()), values.size() * sizeof(T));
    return values;
}

/// Scales rows to length 1, as hnswlib's Python binding does for `cosine`.
static void normalise(std::vector<float> &rows, size_t dimensions) {
    for (size_t row = 0; row < rows.size(); row += dimensions) {
        double sum = 0;
        for (size_t i = 0; i < dimensions; i++) sum += double(rows[row + i]) * rows[row + i];
        const float scale = sum > 0 ? float(1 / std::sqrt(sum)) : 0;
        for (size_t i = 0; i < dimensions; i++) rows[row + i] *= scale;
    }
}

static double cpu_seconds() {
    timespec now{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return now.tv_sec + now.tv_nsec * 1e-9;
}

int main(int count, char **arguments) try {
    if (count < 8) throw std::runtime_error("arguments are missing");
    const std::string folder = arguments[1], metric = arguments[3];
    const size_t dimensions = std::stoul(arguments[2]), m = std::stoul(arguments[4]);
    const size_t ef_construction = std::stoul(arguments[5]);

    auto rows = read<float>(folder + "/rows.f32"), queries = read<float>(folder + "/queries.f32");
    const auto truth = read<uint32_t>(folder + "/truth.u32");
    std::unique_ptr<hnswlib::SpaceInterface<float>> space;
    if (metric == "cosine") {
        normalise(rows, dimensions);
        normalise(queries, dimensions);
        space = std::make_unique<hnswlib::InnerProductSpace>(dimensions);
    } else {
        space = std::make_unique<hnswlib::L2Space>(dimensions);
    }
    const size_t row_count = rows.size() / dimensions, query_count = queries.size() / dimensions;
    const size_t k = truth.size() / query_count;

    double start = cpu_seconds();
    hnswlib::HierarchicalNSW<float> graph(space.get(), row_count, m, ef_construction);
    for (size_t row = 0; row < row_count; row++) graph.addPoint(&rows[row * dimensions], row);
    std::printf("{\"buildCpuMs\":%.3f,\"points\":[", (cpu_seconds() - start) * 1e3);

    kernel = graph.fstdistfunc_;
    bool counts = false;
    const char *comma = "";
    for (int argument = 6; argument < count; argument++) {
        const std::string word = arguments[argument];
        if (word == "time" || word == "count") {
            counts = word == "count";
            graph.fstdistfunc_ = counts ? counting : kernel;
            continue;
        }
        const size_t ef = std::stoul(word);
        graph.setEf(ef);
        distances = 0;
        size_t found = 0;
        start = cpu_seconds();
        for (size_t query = 0; query < query_count; query++) {
            auto hits = graph.searchKnn(&queries[query * dimensions], k);
            for (; !hits.empty(); hits.pop())
                for (size_t i = 0; i < k; i++) found += truth[query * k + i] == hits.top().second;
        }
        const double cpu = cpu_seconds() - start;
        std::printf("%s{\"ef\":%zu,\"recall\":%.6f,", comma, ef, double(found) / truth.size());
        comma = ",";
        if (counts) std::printf("\"distances\":%.3f}", double(distances) / query_count);
        else std::printf("\"searchCpuUs\":%.3f}", cpu / query_count * 1e6);
    }
    std::printf("]}\n");
    return 0;
} catch (const std::exception &error) {
    std::fprintf(stderr, "hnswlib-bench: %s\n", error.what());
    return 1;
}
