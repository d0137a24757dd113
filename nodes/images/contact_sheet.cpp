#include <refrain/plugin.hpp>

#include <ATen/ops/full.h>

#include <algorithm>
#include <vector>

namespace {

using namespace refrain;

/// Batches of pictures on one sheet: a row for each batch, to compare them.
class ContactSheet final : public Node {
 public:
  static constexpr In<Image> row_1{"row_1", "the upper row, from the left"};
  static constexpr In<Optional<Image>> row_2{"row_2", "the row below"};
  static constexpr In<Optional<Image>> row_3{"row_3", "the third row"};
  static constexpr In<Optional<Image>> row_4{"row_4", "the fourth row"};
  static constexpr Param<std::int64_t> gap{"gap", 8, {0, 256}, "pixels of white between pictures"};
  static constexpr Out<Image> sheet{"IMAGE", "one picture, RGB, [1, H, W, 3]"};

  static Schema schema() {
    return Schema{"ContactSheet",
                  "refrain/images",
                  "Puts batches of pictures below each other, one row for each.",
                  {row_1, row_2, row_3, row_4, gap},
                  {sheet}}
        .titled("Contact Sheet");
  }

  void run(Context& ctx) override {
    std::vector<at::Tensor> rows{ctx[row_1].pixels};
    for (const Image* row : {ctx[row_2], ctx[row_3], ctx[row_4]}) {
      if (row != nullptr) {
        rows.push_back(row->pixels);
      }
    }
    const std::int64_t space = ctx[gap];
    std::int64_t height = -space, width = 0;
    for (const at::Tensor& row : rows) {
      height += row.size(1) + space;
      width = std::max(width, row.size(0) * (row.size(2) + space) - space);
    }
    ctx.require_memory(static_cast<std::uint64_t>(height) * static_cast<std::uint64_t>(width) * 3 * sizeof(float),
                       "a contact sheet");
    const at::Tensor all = at::full({1, height, width, 3}, 1.0F);
    std::int64_t top = 0;
    for (const at::Tensor& row : rows) {
      place(all[0], row, top, space);
      top += row.size(1) + space;
    }
    ctx.set(sheet, Image{all});
  }

 private:
  /// Copies the pictures of `row` [N, H, W, C] onto the sheet, beside each other from `top` on. Alpha is left out.
  static void place(const at::Tensor& onto, const at::Tensor& row, std::int64_t top, std::int64_t space) {
    for (std::int64_t n = 0; n < row.size(0); ++n) {
      const at::Tensor spot = onto.narrow(0, top, row.size(1)).narrow(1, n * (row.size(2) + space), row.size(2));
      spot.copy_(row[n].narrow(2, 0, 3));
    }
  }
};

}  // namespace

REFRAIN_NODE(ContactSheet)
