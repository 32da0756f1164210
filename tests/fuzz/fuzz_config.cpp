#include "core/models/model.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/scratch_folder.h"
#include "tests/fuzz/sectioned_input.h"

#include <map>
#include <set>

namespace {

namespace fs = std::filesystem;

/// Copies of the small models of tests/data, by name.
class Models
{
public:
    Models()
    {
        for (const fs::directory_entry& entry : fs::directory_iterator(QS_TEST_DATA)) {
            if (fs::exists(entry.path() / "config.json")) {
                fs::copy(entry.path(), m_folder.path() / entry.path().filename());
                m_names.insert(entry.path().filename());
            }
        }
    }

    /// Loads the model that the section "base" names with the other sections in place of its files.
    void load(const std::map<std::string, std::span<const std::byte>>& sections) const
    {
        std::string base = "tiny_vit_timm";
        for (const auto& [name, bytes] : sections) {
            if (name.starts_with("base ") && m_names.contains(name.substr(5))) {
                base = name.substr(5);
            }
        }
        const fs::path directory = m_folder.path() / base;
        for (const char* name : {"config.json", "preprocessor_config.json", "model.safetensors.index.json"}) {
            const auto found = sections.find(name);
            if (found != sections.end()) {
                m_folder.write((fs::path(base) / name).string(), found->second);
            } else {
                fs::remove(directory / name);
            }
        }
        (void)qs::loadModel(directory);
    }

private:
    qs::fuzz::ScratchFolder m_folder;
    std::set<std::string> m_names;
};

} // namespace

void qs::fuzz::readHostileFile(std::span<const std::byte> bytes)
{
    static const Models models;
    models.load(sectionsOf(bytes));
}
