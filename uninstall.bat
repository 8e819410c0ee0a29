@echo off
rem Thin on purpose: everything is in the program, so that every system runs what is tested.
node "%~dp0bin\uninstall.mjs" %*
exit /b %errorlevel%
