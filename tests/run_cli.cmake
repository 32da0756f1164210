# Runs quantoscope-cli on a model with inputs of several types and compares the files it writes, byte for byte, with
# NumPy's. Arguments: CLI, DATA (tests/data/onnx_inputs), OUT (a folder to write to).
execute_process(
    COMMAND ${CLI} run ${DATA}/model.onnx --input ids=${DATA}/ids.npy --input gain=${DATA}/gain_in.npy
        --input mask=${DATA}/mask.npy --output-dir ${OUT}
    RESULT_VARIABLE _result)
if(NOT _result EQUAL 0)
    message(FATAL_ERROR "quantoscope-cli run ended with ${_result}")
endif()
foreach(_name picked seen limit gain)
    execute_process(
        COMMAND ${CMAKE_COMMAND} -E compare_files ${OUT}/${_name}.npy ${DATA}/${_name}.npy RESULT_VARIABLE _result)
    if(NOT _result EQUAL 0)
        message(FATAL_ERROR "output '${_name}' differs")
    endif()
endforeach()
