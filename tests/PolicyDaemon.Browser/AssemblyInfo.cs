// One browser and one pair of programs serve all stories; those of different collections run beside one another.
[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.Collections, MaxThreads = 3)]
[assembly: System.Runtime.Versioning.SupportedOSPlatform("linux")]
