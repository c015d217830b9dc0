import CommandSupport

runCommand(SampleCommand.self, section: "sample")
