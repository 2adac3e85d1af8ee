#include "cli/vectors.h"

#include "cli/evaluation_rows.h"
#include "cli/output_file.h"

namespace rec::cli {

Tensor vectors_of(decltype(&rec_model_item_vectors) get, const Model& model) {
  struct DLManagedTensorVersioned* tensor = nullptr;
  try {
    call(get, model.get(), &tensor);
  } catch (const Failure& failure) {
    if (failure.status != REC_UNSUPPORTED) throw;
  }
  return {tensor, rec_flat_matrix_end};
}

std::string npy_header(const char* type, int64_t rows, int64_t columns) {
  std::string text = "{'descr': '" + std::string(type) + "', 'fortran_order': False, 'shape': (" +
                     std::to_string(rows) + ", " + std::to_string(columns) + "), }";
  text.append(63 - (10 + text.size()) % 64, ' ');  // the numbers begin at a multiple of 64
  text += '\n';
  return std::string("\x93NUMPY\x01\x00", 8) + static_cast<char>(text.size() & 255) +
         static_cast<char>(text.size() >> 8) + text;
}

int64_t write_vectors(const std::string& argument, const std::string& path, const Tensor& tensor) {
  const rec_flat_matrix_t matrix = rec_flat_matrix(tensor.get());
  OutputFile file(argument, path);
  file.stream() << npy_header("<f4", matrix.n, matrix.d);
  file.stream().write(reinterpret_cast<const char*>(matrix.data),
                      matrix.n * matrix.d * static_cast<int64_t>(sizeof(float)));
  file.close();
  return matrix.n;
}

void write_ids(const std::string& argument, const std::string& path, const ModelIds& ids) {
  OutputFile file(argument, path);
  file.stream() << "id,row_idx\n";
  for (int64_t row = 0; row < ids.n(); ++row) file.stream() << cell(ids.text(row), ',') << ',' << row << '\n';
  file.close();
}

}  // namespace rec::cli
