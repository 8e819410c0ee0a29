@echo off
rem Thin on purpose: everything is in the program, so that every system runs what is tested.
where node >nul 2>nul || (echo smarthouse: Node is not installed. Install Node 20 or newer, then run this again. 1>&2 & exit /b 1)
node "%~dp0bin\prepare.mjs" || exit /b 1
call "%~dp0node_modules\.bin\node.cmd" "%~dp0bin\smarthouse.mjs" up %*
exit /b %errorlevel%
