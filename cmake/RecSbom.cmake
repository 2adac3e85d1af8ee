# recore.spdx.json, SPDX 2.3: what this build contains, links and was made with, in the versions found here. The runtimes of
# C, C++, Python, Java and Go are left out.
# The time is that of SOURCE_DATE_EPOCH, else of the last commit, else 1970, so that the same build gives the same bytes.
set(sbom_packages "")
set(sbom_relations "")

# rec_sbom(NAME VERSION LICENSE SUPPLIER HOMEPAGE RELATION WHERE): RELATION to recore, from either side.
function(rec_sbom name version license supplier homepage relation where)
  if(version STREQUAL "")
    set(version NOASSERTION)
  endif()
  set(from recore)
  set(to ${name})
  if(relation MATCHES "_OF$")
    set(from ${name})
    set(to recore)
  endif()
  set(sbom_packages "${sbom_packages}    {
      \"name\": \"${name}\",
      \"SPDXID\": \"SPDXRef-${name}\",
      \"versionInfo\": \"${version}\",
      \"supplier\": \"${supplier}\",
      \"homepage\": \"${homepage}\",
      \"downloadLocation\": \"NOASSERTION\",
      \"filesAnalyzed\": false,
      \"licenseConcluded\": \"${license}\",
      \"licenseDeclared\": \"${license}\",
      \"copyrightText\": \"NOASSERTION\",
      \"comment\": \"${where}\"
    },\n" PARENT_SCOPE)
  set(sbom_relations "${sbom_relations},
    { \"spdxElementId\": \"SPDXRef-${from}\", \"relationshipType\": \"${relation}\", \"relatedSpdxElement\": \"SPDXRef-${to}\" }"
    PARENT_SCOPE)
endfunction()

foreach(package nlohmann_json spdlog fmt ZLIB Boost CLI11 yaml-cpp)
  find_package(${package} QUIET)
endforeach()
file(STRINGS ${REC_XXHASH_INCLUDE}/xxhash.h xxhash REGEX "#define XXH_VERSION_(MAJOR|MINOR|RELEASE) +[0-9]+")
string(REGEX REPLACE "[^;]* ([0-9]+)[^;]*" "\\1" xxhash "${xxhash}")
list(JOIN xxhash . xxhash)
set(in_library "headers, compiled into librecore and recore-worker")
rec_sbom(nlohmann-json "${nlohmann_json_VERSION}" MIT "Person: Niels Lohmann" https://github.com/nlohmann/json CONTAINS
  "headers, compiled into librecore, recore-worker and recore")
rec_sbom(spdlog "${spdlog_VERSION}" MIT "Person: Gabi Melman" https://github.com/gabime/spdlog CONTAINS "${in_library}")
rec_sbom(fmt "${fmt_VERSION}" MIT "Person: Victor Zverovich" https://fmt.dev CONTAINS "${in_library}")
rec_sbom(xxHash "${xxhash}" BSD-2-Clause "Person: Yann Collet" https://xxhash.com CONTAINS "${in_library}")
rec_sbom(Boost "${Boost_VERSION_STRING}" BSL-1.0 "Organization: Boost" https://www.boost.org CONTAINS
  "headers of Boost.DLL and what they include, compiled into librecore and recore-worker")
rec_sbom(zlib "${ZLIB_VERSION_STRING}" Zlib "Person: Mark Adler" https://zlib.net DYNAMIC_LINK "linked by librecore and recore-worker")
if(REC_BUILD_CLI)
  rec_sbom(CLI11 "${CLI11_VERSION}" BSD-3-Clause "Organization: CLIUtils" https://github.com/CLIUtils/CLI11 CONTAINS
    "headers, compiled into recore")
  rec_sbom(yaml-cpp "${yaml-cpp_VERSION}" MIT "Person: Jesse Beder" https://github.com/jbeder/yaml-cpp CONTAINS
    "linked into recore")
endif()
if(REC_WITH_TORCH)
  rec_sbom(LibTorch "${Torch_VERSION}" BSD-3-Clause "Organization: PyTorch Foundation" https://pytorch.org DYNAMIC_LINK
    "linked by the plugins over LibTorch")
endif()
if(REC_BUILD_PYTHON OR REC_BUILD_JAVA)
  execute_process(COMMAND ${REC_SWIG} -version OUTPUT_VARIABLE swig ERROR_QUIET)
  string(REGEX MATCH "[0-9]+\\.[0-9.]+" swig "${swig}")
  rec_sbom(SWIG "${swig}" GPL-3.0-or-later "Organization: SWIG" https://www.swig.org BUILD_TOOL_OF
    "writes the lowest layer of the packages; nothing of SWIG itself is in them but that text")
endif()

set(epoch "$ENV{SOURCE_DATE_EPOCH}")
if(epoch STREQUAL "" AND EXISTS ${PROJECT_SOURCE_DIR}/.git)
  execute_process(COMMAND git -C ${PROJECT_SOURCE_DIR} log -1 --format=%ct OUTPUT_VARIABLE epoch ERROR_QUIET
    OUTPUT_STRIP_TRAILING_WHITESPACE)
endif()
if(epoch STREQUAL "")
  set(epoch 0)
endif()
set(ENV{SOURCE_DATE_EPOCH} ${epoch})
string(TIMESTAMP sbom_created "%Y-%m-%dT%H:%M:%SZ" UTC)
file(STRINGS ${PROJECT_SOURCE_DIR}/LICENSE sbom_copyright REGEX "^Copyright ")
string(SHA256 sbom_hash "${sbom_created}${sbom_packages}${sbom_relations}")
file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/recore.spdx.json @ONLY CONTENT [[{
  "spdxVersion": "SPDX-2.3",
  "dataLicense": "CC0-1.0",
  "SPDXID": "SPDXRef-DOCUMENT",
  "name": "recore-@PROJECT_VERSION@",
  "documentNamespace": "https://spdx.org/spdxdocs/recore-@PROJECT_VERSION@-@sbom_hash@",
  "creationInfo": { "created": "@sbom_created@", "creators": ["Organization: The Recore authors"] },
  "packages": [
@sbom_packages@    {
      "name": "recore",
      "SPDXID": "SPDXRef-recore",
      "versionInfo": "@PROJECT_VERSION@",
      "supplier": "Organization: The Recore authors",
      "downloadLocation": "NOASSERTION",
      "filesAnalyzed": false,
      "licenseConcluded": "MIT",
      "licenseDeclared": "MIT",
      "copyrightText": "@sbom_copyright@"
    }
  ],
  "relationships": [
    { "spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES", "relatedSpdxElement": "SPDXRef-recore" }@sbom_relations@
  ]
}
]])
