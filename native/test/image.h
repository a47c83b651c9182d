// Program images written row by row, for tests. Checks nothing: that is the loader's to do.
#pragma once
#include <vector>

#include "../program.h"

namespace simdnn::test {

struct Image {
  std::vector<int32_t> tensors, instructions, restored;
  std::vector<double> attrs;
  std::vector<Storage> storages;

  // Each returns the new tensor's number.
  int32_t tensor(int32_t storage, DType dtype, std::vector<int32_t> dims, int32_t offset = 0) {
    tensors.insert(tensors.end(), {storage, offset, static_cast<int32_t>(dtype), static_cast<int32_t>(dims.size())});
    dims.resize(kMaxRank);
    tensors.insert(tensors.end(), dims.begin(), dims.end());
    return static_cast<int32_t>(tensors.size() / Program::kTensorFields) - 1;
  }
  int32_t vector(int32_t storage, int32_t offset, int32_t length) { return tensor(storage, DType::float32, {length}, offset); }
  // A tensor that is all of a storage of its own.
  template <class T>
  int32_t whole(T* data, DType dtype, std::vector<int32_t> dims) {
    size_t size = 1;
    for (int32_t dim : dims) size *= static_cast<size_t>(dim);
    storages.push_back({reinterpret_cast<uint8_t*>(data), size * sizeof(T)});
    return tensor(static_cast<int32_t>(storages.size()) - 1, dtype, std::move(dims));
  }

  ProgramImage image() const { return {tensors, instructions, attrs, restored, storages}; }
};

}  // namespace simdnn::test
