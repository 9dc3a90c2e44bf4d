# Installs the node: dist/, node_modules and the default model into share/, executables into lib/vpr_node/.
#
# They are made by npm and TypeScript in the build folder (the only step that needs network), or taken from VPR_PREBUILT:
# a folder with dist/ and node_modules/ (rclnodejs among them) that was built elsewhere for the same system.

find_program(NODE_EXECUTABLE NAMES node nodejs REQUIRED)
set(VPR_STAGE "${CMAKE_CURRENT_BINARY_DIR}/node")
file(GLOB_RECURSE VPR_SOURCES CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/src/*.ts")
file(GLOB_RECURSE VPR_SHIPPED CONFIGURE_DEPENDS
  "${CMAKE_CURRENT_SOURCE_DIR}/bin/*" "${CMAKE_CURRENT_SOURCE_DIR}/models/default/*")

# What native modules must have been made for; its file changes when another Node is on the PATH than at the last build.
set(VPR_ENGINE "${CMAKE_CURRENT_BINARY_DIR}/node.engine")
add_custom_target(vpr_node_engine
  COMMAND sh "${CMAKE_CURRENT_SOURCE_DIR}/cmake/node_engine.sh" "${VPR_ENGINE}"
  BYPRODUCTS "${VPR_ENGINE}"
  VERBATIM
)

add_custom_command(
  OUTPUT "${VPR_STAGE}/stage.done"
  COMMAND sh "${CMAKE_CURRENT_SOURCE_DIR}/cmake/stage_node.sh" "${CMAKE_CURRENT_SOURCE_DIR}" "${VPR_STAGE}" "${VPR_PREBUILT}"
  DEPENDS ${VPR_SOURCES} ${VPR_SHIPPED} package.json package-lock.json tsconfig.json .npmrc cmake/stage_node.sh
    "${VPR_ENGINE}"
  WORKING_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}"
  COMMENT "Building the node"
  VERBATIM
)
add_custom_target(vpr_node_stage ALL DEPENDS "${VPR_STAGE}/stage.done")
add_dependencies(vpr_node_stage vpr_node_engine)

install(DIRECTORY "${VPR_STAGE}/dist" "${VPR_STAGE}/node_modules" "${VPR_STAGE}/bin" "${VPR_STAGE}/models"
  DESTINATION share/${PROJECT_NAME} USE_SOURCE_PERMISSIONS)
install(FILES package.json LICENSE README.md DESTINATION share/${PROJECT_NAME})
install(DIRECTORY launch config DESTINATION share/${PROJECT_NAME} PATTERN __pycache__ EXCLUDE)
install(PROGRAMS cmake/bin/vpr_node cmake/bin/vpr cmake/bin/play_bag DESTINATION lib/${PROJECT_NAME})
