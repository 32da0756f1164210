#include "core/io/onnx_node_order.h"

#include <onnx/onnx_pb.h>

#include <queue>

#include <functional>
#include <string>
#include <unordered_map>

namespace qs {

std::vector<int> executionOrder(const onnx::GraphProto& graph)
{
    const auto count = static_cast<std::size_t>(graph.node_size());
    std::unordered_map<std::string, std::size_t> makers;
    for (std::size_t i = 0; i < count; ++i) {
        for (const std::string& output : graph.node(static_cast<int>(i)).output()) {
            if (!output.empty()) {
                makers.emplace(output, i);
            }
        }
    }
    std::vector<std::vector<std::size_t>> readers(count);
    std::vector<std::size_t> waiting(count, 0);
    for (std::size_t i = 0; i < count; ++i) {
        for (const std::string& input : graph.node(static_cast<int>(i)).input()) {
            const auto maker = makers.find(input);
            if (maker != makers.end()) {
                readers[maker->second].push_back(i);
                ++waiting[i];
            }
        }
    }
    std::priority_queue<std::size_t, std::vector<std::size_t>, std::greater<>> ready;
    for (std::size_t i = 0; i < count; ++i) {
        if (waiting[i] == 0) {
            ready.push(i);
        }
    }
    std::vector<int> order;
    std::vector<bool> placed(count, false);
    while (!ready.empty()) {
        const std::size_t node = ready.top();
        ready.pop();
        placed[node] = true;
        order.push_back(static_cast<int>(node));
        for (const std::size_t reader : readers[node]) {
            if (--waiting[reader] == 0) {
                ready.push(reader);
            }
        }
    }
    for (std::size_t i = 0; i < count; ++i) {
        if (!placed[i]) {
            order.push_back(static_cast<int>(i));
        }
    }
    return order;
}

} // namespace qs
