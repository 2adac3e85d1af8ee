// Vectors of a model as NumPy arrays, with their ids.
#pragma once

#include <memory>
#include <string>

#include "cli/model_ids.h"

extern "C" {
#include "bindings/common/flat.h"
}

namespace rec::cli {

using Tensor = std::unique_ptr<struct DLManagedTensorVersioned, void (*)(struct DLManagedTensorVersioned*)>;

// get: rec_model_item_vectors or rec_model_user_vectors. nullptr when the model has no such vectors.
Tensor vectors_of(decltype(&rec_model_item_vectors) get, const Model& model);

// The header of a matrix in C order, version 1; type: "<f4" or "<i8".
std::string npy_header(const char* type, int64_t rows, int64_t columns);

// Returns the number of rows. argument: names the files in errors.
int64_t write_vectors(const std::string& argument, const std::string& path, const Tensor& tensor);
// A row for each id: "id,row_idx".
void write_ids(const std::string& argument, const std::string& path, const ModelIds& ids);

}  // namespace rec::cli
