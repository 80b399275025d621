// Machines share nothing but the host; much of a story is waiting for a boot, a timer or mail. Two at once, on hosts of two cores.
[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.Collections, MaxThreads = 2)]
[assembly: System.Runtime.Versioning.SupportedOSPlatform("linux")]
