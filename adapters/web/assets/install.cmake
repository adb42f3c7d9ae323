# Fetches what assets/package-lock.json names into FOLDER with NPM, out of the source tree.
#   cmake -D NPM=npm -D SOURCE=adapters/web/assets -D FOLDER=build/dev/npm -P install.cmake
file(COPY ${SOURCE}/package.json ${SOURCE}/package-lock.json DESTINATION ${FOLDER})
execute_process(
  COMMAND ${NPM} ci --omit=optional --no-audit --no-fund --ignore-scripts --prefer-offline
          --loglevel=error --fetch-retry-mintimeout=2000 --fetch-retry-maxtimeout=10000
  WORKING_DIRECTORY ${FOLDER} RESULT_VARIABLE failed OUTPUT_VARIABLE said ERROR_VARIABLE said)
if(failed)
  message(FATAL_ERROR "${said}\n"
          "npm could not fetch the packages that the web pages are built with "
          "(adapters/web/assets/package-lock.json). Is the network there, and if your registry is "
          "another than the public one, does npm know it (`npm config get registry`)?")
endif()
file(TOUCH ${FOLDER}/installed)
