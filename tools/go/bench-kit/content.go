package main

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
)

const (
	indexType    = "application/vnd.oci.image.index.v1+json"
	manifestType = "application/vnd.oci.image.manifest.v1+json"
	configType   = "application/vnd.oci.image.config.v1+json"
	layerType    = "application/vnd.oci.image.layer.v1.tar+gzip"
)

type descriptor struct {
	MediaType string            `json:"mediaType"`
	Digest    string            `json:"digest"`
	Size      int               `json:"size"`
	Platform  map[string]string `json:"platform,omitempty"`
}

// What the source holds. Every image differs from every other, but for the layers they share.
type shape struct {
	repositories int
	// In each repository.
	tags      int
	platforms int
	// Of each platform's image, the shared one included.
	layers int
	// Bytes of a layer.
	size int
}

var architectures = []string{"amd64", "arm64", "arm", "386", "ppc64le", "s390x", "riscv64", "loong64"}

func (s shape) fill(h *host) {
	for r := range s.repositories {
		repo := h.repository(repositoryName(r))
		for t := range s.tags {
			children := make([]descriptor, s.platforms)
			for p := range s.platforms {
				children[p] = s.image(repo, fmt.Sprintf("%d/%d/%d", r, t, p), p)
			}
			index := put(repo.manifests, indexType, map[string]any{
				"schemaVersion": 2, "mediaType": indexType, "manifests": children,
			})
			repo.tags[tagName(t)] = index.Digest
		}
	}
}

// image makes one platform's image. Its first layer is the same in all images of the platform, as a base would be.
func (s shape) image(repo *repository, name string, platform int) descriptor {
	architecture := architectures[platform%len(architectures)]
	layers := make([]descriptor, s.layers)
	for l := range s.layers {
		seed := fmt.Sprintf("%s/%d", name, l)
		if l == 0 {
			seed = "base/" + architecture
		}
		content := noise(seed, s.size)
		layers[l] = descriptor{MediaType: layerType, Digest: digestOf(content), Size: len(content)}
		repo.blobs[layers[l].Digest] = content
	}
	config, _ := json.Marshal(map[string]any{
		"os": "linux", "architecture": architecture, "config": map[string]any{"Labels": map[string]string{"name": name}},
		"rootfs": map[string]any{"type": "layers", "diff_ids": []string{}},
	})
	repo.blobs[digestOf(config)] = config
	made := put(repo.manifests, manifestType, map[string]any{
		"schemaVersion": 2, "mediaType": manifestType,
		"config": descriptor{MediaType: configType, Digest: digestOf(config), Size: len(config)},
		"layers": layers,
	})
	made.Platform = map[string]string{"os": "linux", "architecture": architecture}
	return made
}

func put(manifests map[string]manifest, mediaType string, value any) descriptor {
	body, _ := json.Marshal(value)
	digest := digestOf(body)
	manifests[digest] = manifest{mediaType, body}
	return descriptor{MediaType: mediaType, Digest: digest, Size: len(body)}
}

// noise is bytes that nothing compresses, the same for the same seed.
func noise(seed string, size int) []byte {
	content := make([]byte, 0, size+sha256.Size)
	block := sha256.Sum256([]byte(seed))
	for n := uint64(0); len(content) < size; n++ {
		content = append(content, block[:]...)
		binary.LittleEndian.PutUint64(block[:8], n)
		block = sha256.Sum256(block[:])
	}
	return content[:size]
}

func digestOf(content []byte) string {
	sum := sha256.Sum256(content)
	return "sha256:" + hex.EncodeToString(sum[:])
}

func repositoryName(r int) string { return fmt.Sprintf("mirror/image%d", r) }

func tagName(t int) string { return fmt.Sprintf("1.%d", t) }
