// One machine at a time: where the host has no systemd the machines share a tree of control groups, and one machine's services would be another's.
[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.None)]
[assembly: System.Runtime.Versioning.SupportedOSPlatform("linux")]
