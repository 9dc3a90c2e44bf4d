# The last install step: rclnodejs' JavaScript for all interfaces that are visible now. At run time share/ may be read-only.
# rclnodejs ends with 0 whatever happens: only what it wrote says whether it succeeded.
install(CODE "
  set(vpr_prefix \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}\")
  set(vpr_rclnodejs \"\${vpr_prefix}/share/${PROJECT_NAME}/node_modules/rclnodejs\")
  message(STATUS \"Generating JavaScript for the interfaces in \${vpr_rclnodejs}\")
  file(REMOVE_RECURSE \"\${vpr_rclnodejs}/generated\")
  execute_process(
    COMMAND \"\${CMAKE_COMMAND}\" -E env \"AMENT_PREFIX_PATH=\${vpr_prefix}:\$ENV{AMENT_PREFIX_PATH}\"
      \"${NODE_EXECUTABLE}\" scripts/generate_messages.cjs
    WORKING_DIRECTORY \"\${vpr_rclnodejs}\"
    OUTPUT_VARIABLE vpr_output ERROR_VARIABLE vpr_output RESULT_VARIABLE vpr_result)
  if(NOT vpr_result EQUAL 0 OR NOT EXISTS \"\${vpr_rclnodejs}/generated/${PROJECT_NAME}/${PROJECT_NAME}__msg__PlaceMatch.js\")
    message(FATAL_ERROR \"rclnodejs could not generate the interfaces: \${vpr_output}\")
  endif()
")
